"""What looks inside a trained layer: its gates, its states and its gradients."""
