//! libcloudtrail.so for Falco
