# The files of src/config/
