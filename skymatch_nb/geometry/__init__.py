"""Outlines, overlaps and unions on the sphere.

Edges between vertices are great circles. Regions are clipped in a gnomonic projection about a centre of their
own, where great circles are straight lines and shapely's planar operations are exact.
"""
