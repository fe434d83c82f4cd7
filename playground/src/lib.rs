//! The engine for a web page: text in, text out, over the memory of a WebAssembly module.
//!
//! | export or import | what it does |
//! |---|---|
//! | `alloc(n) -> ptr` | `n` bytes of memory for the caller |
//! | `free(ptr, n)` | takes back memory from `alloc` or from an answer |
//! | `run(ptr, n) -> ptr << 32 \| n` | a question in JSON in, an answer in JSON out: `answer.rs` has both formats |
//! | `last_panic() -> ptr << 32 \| n` | the text of the last panic, after a call that trapped; it is not freed |
//! | `host.progress(trial, share) -> u32` | called by `run`; a return value other than 0 stops the run |
//!
//! Only this file has `unsafe`. The names are exported to WebAssembly alone: in an ordinary program `free` would take the place of
//! that of the C library.

mod answer;
mod board;
mod lesson;
mod traces;

use std::sync::{Mutex, Once};

/// The text of the last panic. It is leaked, so that its address stays good.
static LAST_PANIC: Mutex<&str> = Mutex::new("");

/// Installs the panic hook once.
static HOOK: Once = Once::new();

#[cfg(target_arch = "wasm32")]
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    // Safety: the page implements it with numbers alone, and it touches no memory of this module.
    safe fn progress(trial: u32, share: f64) -> u32;
}

/// Outside of a page nobody watches.
#[cfg(not(target_arch = "wasm32"))]
fn progress(_trial: u32, _share: f64) -> u32 {
    0
}

/// Address and length of a text in one number: the address in the upper 32 bits.
fn packed(text: &[u8]) -> u64 {
    (text.as_ptr() as usize as u64) << 32 | text.len() as u64
}

/// Memory for `n` bytes, all zero.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn alloc(n: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; n].into_boxed_slice()).cast()
}

/// Takes back memory.
///
/// # Safety
/// `ptr` and `n` come from one call of [`alloc`] or are one answer of [`run`], and are not used afterwards.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn free(ptr: *mut u8, n: usize) {
    // Safety: by the contract above, this is the boxed slice that `alloc` or `run` has given away, and its only owner.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, n)) });
}

/// Answers a question. The caller frees the answer, and its own question.
///
/// # Safety
/// `ptr` and `n` come from one call of [`alloc`], and nothing writes there during the call.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub unsafe extern "C" fn run(ptr: *const u8, n: usize) -> u64 {
    HOOK.call_once(|| std::panic::set_hook(Box::new(keep_panic)));
    // Safety: by the contract above, these are `n` initialised bytes that nobody changes.
    let question = unsafe { std::slice::from_raw_parts(ptr, n) };
    let answer =
        answer::answer(question, &|trial, share| progress(trial, share)).into_bytes().into_boxed_slice();
    let place = packed(&answer);
    // The caller owns it now.
    let _ = Box::into_raw(answer);
    place
}

/// Address and length of the text of the last panic; length 0 if there was none.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn last_panic() -> u64 {
    LAST_PANIC.lock().map_or(0, |text| packed(text.as_bytes()))
}

fn keep_panic(info: &std::panic::PanicHookInfo<'_>) {
    let position = outgrow::experiment::runner::position();
    let place = position
        .map_or(String::new(), |at| format!("\nseed {}, trial {}, before {}", at.seed, at.trial, at.until));
    if let Ok(mut last) = LAST_PANIC.lock() {
        *last = Box::leak(format!("{info}{place}").into_boxed_str());
    }
}
