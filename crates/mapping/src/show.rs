//! Mappings as text again, for `tfdrift mappings`.

use std::fmt::{Display, Formatter, Result, Write};

use crate::{Assign, Expr, IdPart, Root, SetLine};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let list = |f: &mut Formatter<'_>, items: &[Expr]| {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    f.write_str(", ")?;
                }
                item.fmt(f)?;
            }
            Ok(())
        };
        match self {
            Expr::Null => f.write_str("null"),
            Expr::Bool(b) => write!(f, "{b}"),
            Expr::Int(n) => write!(f, "{n}"),
            Expr::Text(s) => write!(f, "'{s}'"),
            Expr::Path(root, path) => {
                f.write_str(match root {
                    Root::Request => "",
                    Root::Response => "%",
                    Root::Item => "@",
                    Root::Resource => "^",
                    Root::Record => "$",
                })?;
                f.write_str(&path.join("."))
            }
            Expr::Call(function, args) => {
                write!(f, "{}(", function.name())?;
                list(f, args)?;
                f.write_char(')')
            }
            Expr::List(items) => {
                f.write_char('[')?;
                list(f, items)?;
                f.write_char(']')
            }
            Expr::Object(members) => {
                f.write_char('{')?;
                for (i, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{name} = {value}", if i > 0 { ", " } else { "" })?;
                }
                f.write_char('}')
            }
        }
    }
}

impl Display for IdPart {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} = {}", self.attribute, self.value)
    }
}

impl Display for SetLine {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let assign = match self.assign {
            Assign::Replace => "=",
            Assign::Add => "+=",
            Assign::Remove => "-=",
            Assign::Merge => "|=",
        };
        write!(f, "{} {assign} {}", self.path.join("."), self.value)?;
        if self.by.is_empty() { Ok(()) } else { write!(f, " by {}", self.by.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Confidence, Expr, parse_file};

    #[test]
    fn what_is_printed_reads_the_same() {
        for text in ["or(A.B, [%C, {x = @, y = 'z'}])", "if(has(^a.b), null, -1)", "$awsRegion"] {
            let expr = Expr::parse(text).unwrap();
            assert_eq!(expr.to_string(), text);
            assert_eq!(Expr::parse(&expr.to_string()).unwrap(), expr);
        }
    }

    #[test]
    fn set_lines_keep_their_operator() {
        let text = "source = \"s\"\n[[X]]\nupdate = \"aws_x\"\nid = [\"id = A, b = C\"]\nset = [\"rule += block(R) by name, kind\"]\n";
        let target = parse_file("x", text, Confidence::Core).unwrap().remove(0).targets.remove(0);
        assert_eq!(target.sets[0].to_string(), "rule += block(R) by name, kind");
        assert_eq!(target.ids[0][1].to_string(), "b = C");
    }
}
