//! libtfdrift.so for Falco
