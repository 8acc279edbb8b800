"""One folder for each system a company connects: manifest, client, mapping, tests. Siblings never import each other."""
