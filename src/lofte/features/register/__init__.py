"""The register: what is held about whom, for which purpose, and until when. Everything readable is in the vault."""
