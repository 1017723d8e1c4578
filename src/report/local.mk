# The files of src/report/
