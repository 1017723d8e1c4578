# The files of src/dewlined/
