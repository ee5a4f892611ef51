"""`doctor`, `validate` and `schema`: is what is there right?"""
