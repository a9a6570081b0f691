//! The table of Falco fields: name, type, argument, description
