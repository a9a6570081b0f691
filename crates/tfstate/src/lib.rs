//! Terraform and OpenTofu states: reader, addresses, index, masking
