"""The twins: Keras models that differ in one layer."""
