"""Facts from files: readers for CSV, XLSX and Parquet, mappings, and the problems file."""
