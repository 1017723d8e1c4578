# The files of src/gate/
