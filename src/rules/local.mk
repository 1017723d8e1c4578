# The files of src/rules/
