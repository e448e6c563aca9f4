def sample_titles(root):
    return {"digits": "Three digits", "cats_dogs": "Cats and dogs"}
