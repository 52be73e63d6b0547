"""Documents that are run: `make smoke BASE=https://crm.example.com`."""
