//! `softpool completions` and `softpool man`: every command is in them.

use std::fs;
use std::process::Command;

use crate::common::Workplace;

const COMMANDS: [&str; 10] =
    ["info", "forward", "backward", "image", "compare", "mips", "wgsl", "recipe", "completions", "man"];

#[test]
fn every_shell_completes_every_command() {
    let place = Workplace::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.succeed(&format!("completions {shell}")).stdout;
        for word in COMMANDS.iter().chain(&["--kernel", "--ceil-mode"]) {
            // Fish writes options without their dashes.
            assert!(script.contains(word.trim_start_matches('-')), "{shell} doesn't know {word}");
        }
    }
    place.refuse("completions tcsh", &["tcsh", "bash"]);
}

/// What bash itself completes, where there is bash.
#[cfg(target_os = "linux")]
#[test]
fn bash_completes_a_command_and_an_option() {
    let place = Workplace::new();
    fs::write(place.path("script"), place.succeed("completions bash").stdout).unwrap();
    for (words, expected) in [("softpool forw", "forward"), ("softpool forward --ceil", "--ceil-mode")] {
        let last = words.split_whitespace().last().unwrap();
        let text = format!(
            "source ./script; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _softpool softpool {last} ''; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash").args(["-c", &text]).current_dir(place.path("")).output();
        let output = output.expect("bash, for which there are completions: install it");
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), expected, "{words}");
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let place = Workplace::new();
    let first = place.succeed("man").stdout;
    assert!(first.contains(".TH softpool 1") && first.contains("SUBCOMMANDS"), "{first}");
    let run = place.succeed("man --output pages/man1");
    assert!(run.stdout.contains("pages/man1"), "{run:?}");
    assert!(first.trim_end() == fs::read_to_string(place.path("pages/man1/softpool.1")).unwrap().trim_end());
    for command in COMMANDS {
        let page = fs::read_to_string(place.path(format!("pages/man1/softpool-{command}.1"))).expect(command);
        assert!(page.contains(".SH SYNOPSIS"), "{command}: {page}");
    }
    fs::write(place.path("file"), "").unwrap();
    place.refuse("man --output file/man1", &["file/man1"]);
}
