//! demo
pub mod relay;
pub fn run(_: &crate::cli::DemoOptions) -> Result<std::process::ExitCode, crate::failure::Failure> {
    unimplemented!()
}
