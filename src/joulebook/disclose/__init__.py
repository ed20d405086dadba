"""What others see: claims, statements, labels."""
