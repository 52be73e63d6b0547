"""What stands around the product in a production: a pool of connections, the compose file, the image."""
