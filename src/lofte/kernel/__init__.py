"""The ground floor: ids, instants, problems and canonical bytes. Imports nothing of ours."""
