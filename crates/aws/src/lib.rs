//! AWS credentials as an explicit chain that explains itself, and the clients built on it
