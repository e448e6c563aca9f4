"""A person's own images: decoded whatever comes, sorted into classes, versioned, divided; without torch."""
