"""Files and words in, members and pixels out."""
