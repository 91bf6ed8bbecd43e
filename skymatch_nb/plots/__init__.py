"""Bokeh figures: each module turns results into a data source, and the source into a figure."""
