"""Trains, measures, exports and quantises the small models that ship with Askbase."""
