"""The portal: where a person sees, corrects, takes along, withdraws, objects and is erased."""
