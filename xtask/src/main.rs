//! Generators of committed data.

mod sensitive;

use std::io::Read;
use std::process::ExitCode;

use clap::Parser;

/// Generators of committed data. Each prints to standard output or writes the file it names.
#[derive(Parser)]
enum Task {
    /// The provider's sensitive attributes, from `terraform providers schema -json` on standard input.
    Sensitive {
        /// Version of terraform-provider-aws, told in the file's head.
        #[arg(long)]
        provider: String,
    },
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::Sensitive { provider } => read_input().and_then(|json| sensitive::list(&json, &provider)),
    };
    match done {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn read_input() -> Result<String, String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|e| format!("standard input: {e}"))?;
    Ok(text)
}
