"""What the pages share; with the pages the only code that knows Streamlit."""
