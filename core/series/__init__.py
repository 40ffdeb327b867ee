"""Tables: opened safely, whatever brought them."""
