"""What all web faces share: the gate, problem details, headers, cursors."""
