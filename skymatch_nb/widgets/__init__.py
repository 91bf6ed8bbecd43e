"""The panel: parameters as widgets, figures beside them, one session behind."""
