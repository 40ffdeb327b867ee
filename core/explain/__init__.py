"""Why a model gave its result: attribution of one region's score to places in the image.

Every method has one signature, `RegionMethod`: the network, its normalised input, the region that is asked
about and a layer go in, and a map of the input's height and width comes out. A new method is one function of
that form. Explanations know networks only by the protocols in `core.learning.protocols`.
"""
