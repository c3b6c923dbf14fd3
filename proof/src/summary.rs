//! All stages in one table and one JSON, named by adapter and driver, and the short table at the end.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::common::contexts;
use crate::measure::{commit, file_stem};
use crate::record::STAGES;

/// What benches/peers/pytorch.py writes.
const PEERS: &str = "8-pytorch";
/// PyTorch's columns of the short table: a name, and whose rows.
const COLUMNS: [(&str, &str); 4] =
    [("eager", "SoftPool, eager"), ("compiled", "SoftPool, torch.compile"), ("max", "MaxPool2d"), ("avg", "AvgPool2d")];

/// Stages in their order: the name of the files, and what the JSON holds.
fn stages(out: &Path) -> Result<BTreeMap<String, Value>, Box<dyn Error>> {
    let mut stages = BTreeMap::new();
    for entry in fs::read_dir(out.join(STAGES))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            // One that was cut off while it wrote is no reason to lose the others.
            if let Ok(value) = serde_json::from_str(&fs::read_to_string(&path)?) {
                stages.insert(name, value);
            }
        }
    }
    Ok(stages)
}

/// Writes the table and the JSON of all stages so far.
pub fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    let context = &contexts()[0];
    let file = out.join(format!("proof-{}", file_stem(&context.adapter)));
    let stages = stages(out)?;
    let mut text = format!(
        "# {}\n\nsoftpool {} at commit {}, by `scripts/gpu-proof`.\n\n",
        context.name(),
        env!("CARGO_PKG_VERSION"),
        commit()
    );
    let short = short_table(&stages);
    if !short.is_empty() {
        writeln!(text, "## In short\n\n{short}")?;
    }
    for name in stages.keys() {
        text += &fs::read_to_string(out.join(STAGES).join(name).with_extension("md")).unwrap_or_default();
        text.push('\n');
    }
    let mut json = Map::new();
    json.insert("device".into(), context.name().into());
    json.insert("commit".into(), commit().into());
    json.extend(stages);
    fs::write(file.with_extension("json"), serde_json::to_string_pretty(&json)? + "\n")?;
    fs::write(file.with_extension("md"), text.trim_end().to_owned() + "\n")?;
    Ok(())
}

/// Prints the short table, and where the long one is.
pub fn print(out: &Path) -> Result<(), Box<dyn Error>> {
    write(out)?;
    let stages = stages(out)?;
    println!("\n== {}, commit {}\n", contexts()[0].name(), commit());
    println!("{}", short_table(&stages));
    for (name, stage) in &stages {
        let faults = stage["faults"].as_array().map_or(0, Vec::len);
        let rows = stage["rows"].as_array().map_or(0, Vec::len);
        let outcome = if faults == 0 { "no fault".into() } else { format!("{faults} FAULTS") };
        println!("{name:<12} {rows:>4} rows, {outcome}");
    }
    println!("\nresults: {}/proof-*.{{md,json}}", out.display());
    Ok(())
}

/// Bandwidth of each case and PyTorch's times as multiples of ours: more than 1 where we are ahead.
fn short_table(stages: &BTreeMap<String, Value>) -> String {
    let rows = |name: &str| stages.get(name).and_then(|stage| stage["rows"].as_array()).cloned().unwrap_or_default();
    let peers = rows(PEERS);
    let peer_ms = |case: &str, who: &str| {
        peers.iter().find(|row| row["case"] == case && row["who"] == who).and_then(|row| row["ms"].as_f64())
    };
    let mut text = String::new();
    for row in rows("6-roofline") {
        let (Some(case), Some(ms)) = (row["case"].as_str(), row["ms"].as_f64()) else { continue };
        let number = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
        if text.is_empty() {
            text += &format!("| {:<44} | {:>8} | {:>5} |", "case", "GB/s", "copy");
            if !peers.is_empty() {
                COLUMNS.iter().for_each(|(name, _)| text += &format!(" {name:>8} |"));
            }
            text += "\n|---|---|---|";
            text += &"---|".repeat(if peers.is_empty() { 0 } else { COLUMNS.len() });
            text.push('\n');
        }
        let share = format!("{:.0} %", 1e2 * number("share_of_copy"));
        text += &format!("| {case:<44} | {:>8.1} | {share:>5} |", number("gb_s"));
        if !peers.is_empty() {
            for (_, who) in COLUMNS {
                let times = peer_ms(case, who).map_or(String::new(), |peer| format!("{:.2}", peer / ms));
                text += &format!(" {times:>8} |");
            }
        }
        text.push('\n');
    }
    if !text.is_empty() {
        text += "\ncopy: the share of the bandwidth at which the device copies the input.";
        if !peers.is_empty() {
            text += " PyTorch's columns: its time as a multiple of ours, of the same case.";
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn peers_stand_beside_the_case_of_their_name() {
        let roofline = json!({ "rows": [
            { "case": "forward a", "ms": 2.0, "gb_s": 100.0, "share_of_copy": 0.5 },
            { "case": "backward a", "ms": 1.0, "gb_s": 50.0, "share_of_copy": 0.25 },
        ] });
        let peers = json!({ "rows": [{ "case": "forward a", "who": "MaxPool2d", "ms": 3.0 }] });
        let table = short_table(&BTreeMap::from([("6-roofline".into(), roofline), (PEERS.into(), peers)]));
        let lines: Vec<_> = table.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>()).collect();
        assert_eq!(lines[2][1..], ["forward a", "100.0", "50 %", "", "", "1.50", "", ""]);
        assert_eq!(lines[3][1..], ["backward a", "50.0", "25 %", "", "", "", "", ""]);
    }
}
