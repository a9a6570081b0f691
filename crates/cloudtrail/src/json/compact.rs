//! JSON without the white space between its tokens.

use std::borrow::Cow;

use super::Json;
use super::scan::{first_space, skip_ws};
use super::text::{owned_utf8, utf8};

impl<'a> Json<'a> {
    /// The value without white space outside of strings; keys, numbers and escapes as they stand. Borrowed if
    /// there is no such white space, as in what AWS writes.
    pub fn compact(self) -> Cow<'a, str> {
        match first_space(self.0) {
            None => utf8(self.0),
            Some(_) => {
                let mut out = Vec::with_capacity(self.0.len());
                squeeze(self.0, &mut out);
                owned_utf8(out).into()
            }
        }
    }
}

fn squeeze(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(space) = first_space(rest) {
        out.extend_from_slice(&rest[..space]);
        rest = &rest[skip_ws(rest, space)..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_space_between_tokens_goes() {
        let spaced = Json::new(br#" { "a b" : [ 1 , "c \" d" , 1.50 ] , "e" :	{ } }"#);
        assert_eq!(spaced.compact(), r#"{"a b":[1,"c \" d",1.50],"e":{}}"#);
        let tight = Json::new(br#"{"a b":"c d"}"#);
        assert!(matches!(tight.compact(), Cow::Borrowed(_)));
    }
}
