//! `libtfdrift.so`: the plugin `tfdrift` for Falco.

tfdrift_plugin::export_plugin!(tfdrift_plugin::Tf<false>);
