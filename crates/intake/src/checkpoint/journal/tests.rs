use super::*;
use proptest::prelude::*;

fn taken(n: u64) -> Taken {
    let step =
        Step { lane: "l/".into(), name: format!("n{n}"), stamp: n, upto: n * 2, done: n.is_multiple_of(2) };
    Taken { ids: vec![n, n + 1], steps: vec![step] }
}

fn all(folder: &Path) -> Vec<u64> {
    let mut firsts = Vec::new();
    Journal::read(folder, |_, taken| firsts.push(taken.ids[0])).unwrap();
    firsts
}

#[test]
fn frames_come_back_and_old_segments_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), 10, |_, _| panic!("nothing yet")).unwrap();
    for n in 0..23 {
        journal.append(&taken(n)).unwrap();
    }
    assert_eq!(all(dir.path()), (0..23).collect::<Vec<_>>());
    assert_eq!(journal.position().segment, 5);
    journal.prune(Position { segment: 2, bytes: 0 });
    assert_eq!(all(dir.path()), (5..23).collect::<Vec<_>>());
    journal.prune(journal.position());
    assert_eq!(all(dir.path()), (15..23).collect::<Vec<_>>());
    drop(journal);
    let mut seen = Vec::new();
    let mut journal =
        Journal::open(dir.path(), 10, |at, taken| seen.push((at.segment, taken.steps))).unwrap();
    assert_eq!(seen.first(), Some(&(4, taken(15).steps)));
    journal.append(&taken(99)).unwrap();
    assert_eq!(all(dir.path()).last(), Some(&99));
}

#[test]
fn a_full_disk_costs_nothing_once_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), 10, |_, _| ()).unwrap();
    for n in 0..5 {
        journal.append(&taken(n)).unwrap();
    }
    // Every write to it fails with ENOSPC.
    std::os::unix::fs::symlink("/dev/full", path(dir.path(), 2)).unwrap();
    for n in 5..40 {
        journal.append(&taken(n)).unwrap_err();
    }
    assert_eq!((journal.waiting(), journal.lost()), (35, 0));
    fs::remove_file(path(dir.path(), 2)).unwrap();
    while journal.flush().is_err() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    journal.append(&taken(40)).unwrap();
    assert_eq!(journal.waiting(), 0);
    assert_eq!(all(dir.path()), (0..41).collect::<Vec<_>>());
}

#[test]
fn a_frame_that_was_written_in_part_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), 1000, |_, _| ()).unwrap();
    journal.append(&taken(0)).unwrap();
    let file = path(dir.path(), 1);
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"\x40\0\0\0half");
    fs::write(&file, bytes).unwrap();
    journal.torn = true;
    journal.append(&taken(1)).unwrap();
    assert_eq!(all(dir.path()), [0, 1]);
}

proptest! {
    #[test]
    fn a_kill_in_the_middle_of_a_write_costs_that_frame_only(cut in 0usize..600, flip in any::<Option<u8>>()) {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(dir.path(), 1000, |_, _| ()).unwrap();
        for n in 0..12 {
            journal.append(&taken(n)).unwrap();
        }
        drop(journal);
        let file = path(dir.path(), 1);
        let mut bytes = fs::read(&file).unwrap();
        let cut = cut.min(bytes.len());
        bytes.truncate(cut);
        if let (Some(flip), Some(last)) = (flip, bytes.last_mut()) {
            *last ^= flip;
        }
        fs::write(&file, &bytes).unwrap();
        let mut before = Vec::new();
        let mut journal = Journal::open(dir.path(), 1000, |_, taken| before.push(taken.ids[0])).unwrap();
        prop_assert_eq!(&before, &(0..before.len() as u64).collect::<Vec<_>>());
        journal.append(&taken(77)).unwrap();
        before.push(77);
        prop_assert_eq!(all(dir.path()), before);
    }
}
