//! Keeps a driver's layer from complaining about a missing desktop.
//!
//! wgpu asks Vulkan for Wayland surfaces whether or not anybody wants one. Mesa's device-select layer then looks for a
//! compositor each time that adapters are listed, and where XDG_RUNTIME_DIR is not set, libwayland writes "error:
//! XDG_RUNTIME_DIR is invalid or not set in the environment." to stderr. It doesn't look there if WAYLAND_DISPLAY is an
//! absolute path. The environment of a running process can't be changed safely, so that the program starts itself again
//! in its own place: same process, same files, one more variable.

use std::env;
use std::ffi::OsStr;

/// A Wayland display that nobody serves, as connecting to it fails at once and without a word.
const NO_DISPLAY: &str = "/dev/null";

/// Starts the program again with no Wayland display, where the search for one would be heard.
///
/// Returns where there is nothing to do, or where it cannot be done: then two lines too many are all that happens.
pub fn hush() {
    let variable = |name: &str| env::var_os(name);
    if !is_heard(variable("XDG_RUNTIME_DIR").as_deref(), variable("WAYLAND_DISPLAY").as_deref())
        || variable("WAYLAND_SOCKET").is_some()
    {
        return;
    }
    #[cfg(all(unix, not(target_vendor = "apple")))]
    {
        use std::os::unix::process::CommandExt;
        let mut arguments = env::args_os();
        let (Some(name), Ok(program)) = (arguments.next(), env::current_exe()) else { return };
        // Only comes back if it failed.
        let _ =
            std::process::Command::new(program).arg0(name).args(arguments).env("WAYLAND_DISPLAY", NO_DISPLAY).exec();
    }
}

/// Whether libwayland misses a directory for its socket: it takes none but an absolute one.
fn is_heard(runtime_directory: Option<&OsStr>, display: Option<&OsStr>) -> bool {
    let absolute = |path: Option<&OsStr>| path.is_some_and(|path| path.as_encoded_bytes().starts_with(b"/"));
    !absolute(runtime_directory) && !absolute(display)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_starts_again_once_at_most() {
        for (runtime_directory, display, heard) in [
            (None, None, true),
            (Some(""), Some(""), true),
            (Some("run"), Some("wayland-1"), true),
            (Some("/run/user/1000"), None, false),
            (None, Some("/run/user/1000/wayland-0"), false),
            (None, Some(NO_DISPLAY), false),
        ] {
            let found = is_heard(runtime_directory.map(OsStr::new), display.map(OsStr::new));
            assert_eq!(found, heard, "XDG_RUNTIME_DIR {runtime_directory:?}, WAYLAND_DISPLAY {display:?}");
        }
    }
}
