//! The mapping format: what an AWS operation does to Terraform resources, written in TOML, one file per AWS service.
//!
//! ```toml
//! service = "ec2"
//! source  = ["ec2.amazonaws.com"]
//!
//! [[ModifySubnetAttribute]]
//! update = "aws_subnet"
//! id     = ["id = SubnetId"]
//! set    = ["map_public_ip_on_launch = MapPublicIpOnLaunch.Value"]
//! ```
//!
//! [`parse_file`] turns such a text into [`Operation`]s, [`lint`] checks them against the provider's [`Schema`], and
//! [`Table`] is the compiled whole that `tfdrift-drift` embeds. The format is described in `docs/mappings.md`.

mod expr;
mod file;
mod function;
mod lint;
mod schema;
mod show;
mod table;

pub use expr::{Expr, ExprError, Root};
pub use file::{MappingError, parse_file};
pub use function::Function;
pub use lint::{LintFinding, lint};
pub use schema::{Attribute, Kind, Nesting, Schema, SchemaError, attribute_at};
pub use table::{Assign, Confidence, Effect, IdPart, Operation, SetLine, Table, Target, operation_key};
