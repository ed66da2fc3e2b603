"""Files of YAML that people write, held against typed models: a mistake says where it is.

`document` reads the text strictly, `section` is the base of the models and describes them,
`complaints` says pydantic's errors in our words.
"""
