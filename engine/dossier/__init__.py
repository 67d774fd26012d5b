"""The certification dossier: diagrams, tables, traceability and evidence, made from the code that runs."""
