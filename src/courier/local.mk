# The files of src/courier/
