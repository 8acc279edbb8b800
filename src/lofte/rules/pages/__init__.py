"""The frozen pages: what people read, as bytes. Pure: a publication in, HTML with slots out."""
