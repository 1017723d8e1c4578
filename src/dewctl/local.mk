# The files of src/dewctl/
