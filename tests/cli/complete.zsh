# What zsh makes of a line when Tab is pressed: `zsh -f complete.zsh FUNCTIONS LINE` prints the line as it is then, between
# blanks. A zsh of its own runs in a terminal, with the functions of a folder.
zmodload zsh/zpty
setopt extended_glob
zpty terminal "TERM=dumb zsh -f -i"
zpty -w terminal "PS1='ready>' ; unsetopt zle_bracketed_paste 2>/dev/null; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
zpty -w terminal "print-line() { print -r -- \"<<\$BUFFER>>\"; zle .kill-buffer }; zle -N print-line; bindkey '^X' print-line; setopt no_beep no_list_ambiguous; echo now''here"
zpty -r terminal seen '*nowhere*'
zpty -w -n terminal "$2"$'\t'$'\x18'
zpty -r terminal seen '*<<*>>*'
line=${${seen##*<<}%%>>*}
# the comma after which the next word of a list may be typed goes when something else is typed
print -r -- " ${${line%% #}%,} "
zpty -d terminal
