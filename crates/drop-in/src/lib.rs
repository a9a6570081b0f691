//! `libcloudtrail.so`: the same plugin under the name and id of the Go plugin `cloudtrail`, so that rules files,
//! configuration and captures made for that one load unchanged.

tfdrift_plugin::export_plugin!(tfdrift_plugin::Tf<true>);
