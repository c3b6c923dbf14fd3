//! Evidence that the documents are true: the paths, commands and names that they mention are there, the map names every file of the
//! library, and every file of tests is run.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Documents whose paths, links, commands and qualified names are followed.
const DOCUMENTS: [&str; 13] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/semantics.md",
    "docs/accuracy.md",
    "docs/performance.md",
    "docs/hosts.md",
    "docs/textures.md",
    "docs/command-line.md",
    "burn/README.md",
    "cli/README.md",
    "web/README.md",
    "hosts/README.md",
];
/// Documents in which every other name is one of the code's, too.
const OF_CODE: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
/// Folders whose code the names are of.
const CODE: [&str; 6] = ["src", "shaders", "cli/src", "burn/src", "compilers/src", "fuzz"];
const MANIFESTS: [&str; 5] =
    ["Cargo.toml", "burn/Cargo.toml", "cli/Cargo.toml", "compilers/Cargo.toml", "fuzz/Cargo.toml"];
const README_LINES: usize = 120;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// What the documents can mention.
struct Project {
    /// Names in the code, but for comments, and in the manifests.
    names: HashSet<String>,
    manifests: String,
    commands: String,
}

impl Project {
    fn load() -> Self {
        let manifests = MANIFESTS.map(read).concat();
        let of_code =
            |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs" || extension == "wgsl");
        let sources = CODE.iter().flat_map(|folder| files(&root().join(folder))).filter(of_code);
        let texts = sources.map(|path| fs::read_to_string(path).expect("a text file"));
        let code: String = texts.chain([manifests.clone()]).collect::<Vec<_>>().join("\n");
        let code = code.lines().map(|line| line.split("//").next().unwrap_or_default());
        let names = code.flat_map(|line| line.split(|c| !is_of_name(c))).map(str::to_owned).collect();
        Self { names, manifests, commands: read("cli/src/arguments.rs") }
    }

    /// Whether a package or a target is called so.
    fn is_named(&self, name: &str) -> bool {
        self.manifests.contains(&format!("name = \"{name}\""))
    }

    fn has_target(&self, folder: &str, name: &str) -> bool {
        let members = ["", "burn/", "cli/", "compilers/"];
        self.is_named(name) || members.iter().any(|member| exists(&format!("{member}{folder}/{name}.rs")))
    }

    /// What is wrong with a document of this name and text.
    fn problems(&self, document: &str, text: &str) -> Vec<String> {
        let folder = Path::new(document).parent().expect("a file");
        let (mut problems, mut fence) = (Vec::new(), None);
        for (index, line) in text.lines().enumerate() {
            let mut say = |problem: Option<String>| {
                problems.extend(problem.map(|problem| format!("{document}:{}: {problem}", index + 1)));
            };
            if let Some(language) = line.strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(language) };
                continue;
            }
            match fence {
                Some("sh") => say(self.wrong_command(line.split(" #").next().unwrap_or_default())),
                Some(_) => {}
                None => {
                    for span in line.split('`').skip(1).step_by(2) {
                        say(self.wrong_span(document, folder, span));
                    }
                    for target in links(line) {
                        let there = exists_from(folder, target);
                        say((!there).then(|| format!("the link to {target} leads nowhere")));
                    }
                }
            }
        }
        problems
    }

    fn wrong_span(&self, document: &str, folder: &Path, span: &str) -> Option<String> {
        if ["cargo ", "softpool ", "scripts/", ".ci/"].iter().any(|start| span.starts_with(start))
            || span.contains("=1 ")
        {
            return self.wrong_command(span);
        }
        let plain = span.chars().all(|c| is_of_name(c) || "./-".contains(c));
        // What commands make, here or in a folder of the user's.
        let made = span.starts_with("target/") || span.starts_with("DIR/");
        if plain && !made && is_path(span) {
            let there = exists_from(folder, &span.replace("NAME.rs", "").replace("NAME.wgsl", ""));
            return (!there).then(|| format!("there is no {span}"));
        }
        let name = span.trim_start_matches("[[").trim_end_matches("]]");
        let name = name.trim_end_matches("::");
        let is_name = !name.is_empty() && name.chars().all(|c| is_of_name(c) || ":.-".contains(c));
        if !is_name || !(OF_CODE.contains(&document) || name.contains("::")) || name == "NAME" {
            return None;
        }
        let known = |part: &str| self.names.contains(part) || exists(&format!("tests/{part}.rs"));
        let unknown = name.split(['.', ':']).find(|part| !part.is_empty() && !known(part) && !self.is_named(part));
        unknown.map(|part| format!("nothing is called {part} ({span})"))
    }

    fn wrong_command(&self, command: &str) -> Option<String> {
        command.split("&&").find_map(|command| {
            let words: Vec<&str> = command.split_whitespace().collect();
            let (settings, words) = words.split_at(words.iter().take_while(|word| is_setting(word)).count());
            let mut names = settings.iter().filter_map(|word| word.split('=').next());
            let unknown = names.find(|name| !self.names.contains(*name) && !is_in_tests(name));
            unknown.map(|name| format!("nothing reads {name}")).or_else(|| match words {
                [] => None,
                ["cargo", rest @ ..] => self.wrong_cargo(rest),
                ["softpool", subcommand, ..] if !subcommand.starts_with('-') => self.wrong_subcommand(subcommand),
                [program, ..] => (is_path(program) && !exists(program)).then(|| format!("there is no {program}")),
            })
        })
    }

    fn wrong_subcommand(&self, subcommand: &str) -> Option<String> {
        let mut variant = subcommand.to_owned();
        variant[..1].make_ascii_uppercase();
        // clap adds `help`.
        let known = variant == "Help" || self.commands.split(|c| !is_of_name(c)).any(|word| word == variant);
        (!known).then(|| format!("softpool has no {subcommand}"))
    }

    fn wrong_cargo(&self, words: &[&str]) -> Option<String> {
        words.windows(2).find_map(|pair| {
            let (option, value) = (pair[0], pair[1]);
            let known = match option {
                "-p" | "--package" => self.is_named(value),
                "--test" => self.has_target("tests", value),
                "--bench" => self.has_target("benches", value),
                "--example" => self.has_target("examples", value),
                "suite" => ["", "cli/"].iter().any(|member| {
                    let module = value.split("::").next().unwrap_or_default();
                    value.starts_with('-') || exists(&format!("{member}tests/{module}.rs"))
                }),
                _ => true,
            };
            (!known).then(|| format!("there is no {value} for {option}"))
        })
    }
}

/// An environment variable that a command sets.
fn is_setting(word: &str) -> bool {
    word.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

fn is_in_tests(name: &str) -> bool {
    let texts = files(&root().join("tests")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    texts.filter_map(|path| fs::read_to_string(path).ok()).any(|text| text.contains(&format!("\"{name}\"")))
}

fn is_path(text: &str) -> bool {
    let ends = [".md", ".rs", ".wgsl", ".toml", ".py", ".svg", ".txt"];
    text.contains('/') || ends.iter().any(|end| text.len() > end.len() && text.ends_with(end))
}

fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// Whether a path is there, from the project's root or from a folder of it.
fn exists_from(folder: &Path, path: &str) -> bool {
    exists(path) || root().join(folder).join(path).exists()
}

/// The files that a line links to.
fn links(line: &str) -> Vec<&str> {
    let inline = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
    inline.chain(definition).filter(|target| !target.contains("://")).collect()
}

#[test]
fn paths_commands_and_names_in_documents_are_there() {
    let project = Project::load();
    let problems: Vec<_> = DOCUMENTS.iter().flat_map(|document| project.problems(document, &read(document))).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The test above finds what it is there for.
#[test]
fn what_is_not_there_is_found() {
    let project = Project::load();
    for wrong in [
        "`src/nothing.rs`",
        "`src/NOTHING.rs`",
        "[x](docs/nothing.md)",
        "[x]: docs/nothing.md",
        "`Recipe::nothing_of_this`",
        "`NothingOfThis`",
        "`cargo test --test nothing`",
        "`cargo test --test suite nothing::`",
        "`cargo bench --bench nothing`",
        "`cargo run -p softpool-nothing`",
        "`softpool nothing`",
        "`scripts/nothing`",
        "```sh\nSOFTPOOL_NOTHING=1 cargo test\n```",
        "```sh\nscripts/setup && cargo run --example nothing\n```",
    ] {
        assert_eq!(project.problems("ARCHITECTURE.md", wrong).len(), 1, "{wrong}");
    }
    for right in [
        "`src/lib.rs`, `src/kernels/NAME.rs` and `x + y`",
        "[x](https://example.org)",
        "`cargo test --test suite golden::`",
        "```sh\ncargo bench --bench roofline -- k3   # nothing\n```",
    ] {
        assert_eq!(project.problems("ARCHITECTURE.md", right), [""; 0], "{right}");
    }
}

#[test]
fn the_map_names_every_file_of_the_library() {
    let map = read("ARCHITECTURE.md");
    let entries = ["src", "shaders"].map(|folder| {
        let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
        let shown = entries.filter(|path| path.is_dir() || folder == "src");
        let name = |path: PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
        shown.map(|path| format!("{folder}/{}{}", name(path.clone()), if path.is_dir() { "/" } else { "" })).collect()
    });
    let entries: Vec<String> = entries.into_iter().flat_map(|entries: Vec<String>| entries).collect();
    assert!(entries.len() > 30, "{entries:?}");
    let missing: Vec<_> = entries.into_iter().filter(|entry| !map.contains(&format!("`{entry}`"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md should say what stands in {}", missing.join(", "));
}

#[test]
fn the_map_names_every_kernel() {
    let map = read("ARCHITECTURE.md");
    let rooms = files(&root().join("src/kernels"))
        .into_iter()
        .filter(|room| fs::read_to_string(room).expect("a text file").contains("impl Room for"));
    let kernels: Vec<_> = rooms.map(|room| room.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    assert!(kernels.len() >= 12, "{kernels:?}");
    let missing: Vec<_> = kernels.into_iter().filter(|kernel| !map.contains(&format!("`{kernel}`"))).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md should say what {} take", missing.join(", "));
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= README_LINES, "{lines} lines, and {README_LINES} are to do: the rest goes to docs/");
}

/// With one program for all files, one that nobody names would not be run.
#[test]
fn every_file_of_tests_is_run() {
    for (folder, manifest) in [("tests", "Cargo.toml"), ("cli/tests", "cli/Cargo.toml")] {
        let (main, manifest) = (read(&format!("{folder}/main.rs")), read(manifest));
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            if path.extension().is_some_and(|extension| extension == "rs") && name != "main" {
                let is_run = main.lines().any(|line| line == format!("mod {name};"))
                    || manifest.contains(&format!("path = \"tests/{name}.rs\""));
                assert!(
                    is_run,
                    "{folder}/{name}.rs is not run: it should be a `mod` of {folder}/main.rs, with `use crate::common`"
                );
            }
        }
    }
}
