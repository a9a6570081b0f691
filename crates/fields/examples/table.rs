//! Prints the field table: `cargo run -p tfdrift-fields --example table [json]`.

fn main() {
    let fields = tfdrift_fields::FIELDS;
    match std::env::args().nth(1).as_deref() {
        Some("json") => print!("{}", tfdrift_fields::to_json(fields)),
        _ => print!("{}", tfdrift_fields::to_markdown(fields)),
    }
}
