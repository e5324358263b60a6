rule meta_section {
  meta:
    text = "plain"
    text = "the same key again"
    empty = ""
    escapes = "\" \\ \n \r \t \0 \x00\xfFz"
    unicode = "żółw 日本 🐢"
    multi = """one \"quote\"
  two\ttabs
three"""
    empty_multi = """"""
    int = 42
    negative = - 42
    hex = 0xDEADbeef
    octal = 0o17
    kilo = 2KB
    mega = 3MB
    grouped = 1_000_000
    max = 9223372036854775807
    min_plus_one = -9223372036854775807
    float = 3.25
    negative_float = -0.5
    grouped_float = 1_0.2_5
    yes = true
    no = false
  condition:
    true
}
