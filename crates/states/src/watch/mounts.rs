//! File systems on which the kernel does not see what others write.

use std::path::{Path, PathBuf};

const REMOTE: &[&str] =
    &["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "glusterfs", "lustre", "virtiofs"];

/// What is mounted, as the kernel tells it. Empty where it does not.
pub(super) struct Mounts(String);

impl Mounts {
    pub(super) fn read() -> Self {
        Self(std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }

    /// Whether a path lies on such a file system. False where that is not known.
    pub(super) fn is_remote(&self, path: &Path) -> bool {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        is_remote_in(&self.0, &real)
    }
}

/// `36 35 98:0 /root /mount/point options - type source options`, blanks as `\040`. A later mount hides an earlier one.
fn is_remote_in(mounts: &str, path: &Path) -> bool {
    let of_line = |line: &str| {
        let (head, tail) = line.split_once(" - ")?;
        let point = PathBuf::from(head.split(' ').nth(4)?.replace("\\040", " "));
        path.starts_with(&point).then_some((point.components().count(), tail.split(' ').next()?.to_owned()))
    };
    let nearest = mounts.lines().filter_map(of_line).max_by_key(|(depth, _)| *depth);
    nearest.is_some_and(|(_, kind)| REMOTE.contains(&&*kind) || kind.starts_with("fuse."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_decides() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:40 / /srv/my\\040states rw shared:1 - nfs4 host:/x rw\n\
                      31 30 8:2 / /srv/my\\040states/local rw - xfs /dev/sdb rw\n32 22 0:9 / /mnt rw - fuse.sshfs h:/ rw\n";
        let remote = |path: &str| is_remote_in(mounts, Path::new(path));
        assert!(remote("/srv/my states/a") && remote("/mnt/x"));
        assert!(!remote("/srv/my states/local/a") && !remote("/srv/other") && !remote("/mnt2"));
        assert!(!is_remote_in("nonsense", Path::new("/")));
    }
}
