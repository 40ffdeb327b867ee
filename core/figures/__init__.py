"""What figures that print have in common: maps with image, scale and north, and charts. The pages draw with plotly."""
