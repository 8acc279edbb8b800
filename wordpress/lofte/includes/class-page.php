<?php
/**
 * Whole pages: held, dressed with guard and banner, sent with the policy header. From 6.9 on by core's own buffer; by ours before,
 * and around core's, for what core's does not see: pages written before a template, a buffer somebody switched off, a filter that threw.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Page {
	/** @var string What core's buffer already made of this page; empty when it did not. */
	private static $by_core = '';

	public static function start(): void {
		add_filter( 'wp_should_output_buffer_template_for_enhancement', '__return_true', PHP_INT_MAX );
		add_filter( 'wp_template_enhancement_output_buffer', array( __CLASS__, 'by_core' ), PHP_INT_MAX );
		add_action( 'template_redirect', array( __CLASS__, 'buffer' ), -PHP_INT_MAX );
		// The login page is no template, and visitors see it too.
		add_action( 'login_init', array( __CLASS__, 'buffer' ), -PHP_INT_MAX );
		add_filter( 'embed_oembed_html', array( __CLASS__, 'embed' ), PHP_INT_MAX );
		// Its detection script reads the browser's storage, and asks s.w.org for pictures.
		remove_action( 'wp_head', 'print_emoji_detection_script', 7 );
		add_filter( 'emoji_svg_url', '__return_false' );
		add_filter( 'pre_option_show_avatars', '__return_zero' );
	}

	public static function buffer(): void {
		if ( is_admin() || is_feed() || is_robots() || is_trackback() || wp_doing_ajax() || wp_doing_cron() || ( defined( 'REST_REQUEST' ) && REST_REQUEST ) ) {
			return;
		}
		// Not flushable, as core's: a page is read whole, not in pieces.
		ob_start( array( __CLASS__, 'ours' ), 0, PHP_OUTPUT_HANDLER_STDFLAGS ^ PHP_OUTPUT_HANDLER_FLUSHABLE );
	}

	/** From 6.9 on. */
	public static function by_core( $html ): string {
		self::$by_core = self::finished( (string) $html );
		return self::$by_core;
	}

	/** What leaves: held here, but for what core's buffer made of it already. What others changed of that stays behind its header. */
	public static function ours( string $html, int $phase ): string {
		if ( $phase & PHP_OUTPUT_HANDLER_CLEAN ) {
			self::$by_core = '';
			return $html;
		}
		if ( '' === self::$by_core ) {
			return self::finished( $html );
		}
		$around = explode( self::$by_core, $html, 2 );
		return 2 === count( $around ) ? self::piece( $around[0] ) . self::$by_core . self::piece( $around[1] ) : $html;
	}

	private static function piece( string $html ): string {
		return '' === trim( $html ) ? $html : self::embed( $html );
	}

	/** Page in, held page out. What cannot be read leaves behind the closed header. */
	public static function finished( string $html ): string {
		foreach ( headers_list() as $header ) {
			if ( 0 === stripos( $header, 'content-type:' ) && false === stripos( $header, 'html' ) ) {
				return $html;
			}
		}
		if ( '' === trim( $html ) ) {
			return $html;
		}
		$kit = Kit::current();
		try {
			list( $page, $scripts ) = self::dressed( $html, $kit );
		} catch ( Unreadable $unreadable ) {
			list( $page, $scripts ) = array( $html, array() );
		}
		if ( ! headers_sent() ) {
			header( 'Content-Security-Policy: ' . self::policy( $kit, $scripts ), false );
			header( 'Referrer-Policy: strict-origin-when-cross-origin' );
			return $page;
		}
		// A theme sent the headers ahead (`flush()`): the page says it itself, before anything else in its head.
		$meta  = '<meta http-equiv="Content-Security-Policy" content="' . esc_attr( str_replace( "; frame-ancestors 'self'", '', self::policy( $kit, $scripts ) ) ) . '">';
		$head  = $kit->word( 'head' );
		$found = '' === $head ? false : strpos( $page, $head );
		if ( false === $found ) {
			$found = preg_match( '/<head(?:\s[^>]*)?>/i', $page, $match, PREG_OFFSET_CAPTURE ) ? $match[0][1] + strlen( $match[0][0] ) : 0;
		}
		return substr_replace( $page, $meta, $found, 0 );
	}

	/** @return array{0: string, 1: string[]} */
	public static function dressed( string $html, Kit $kit ): array {
		$back    = isset( $_SERVER['REQUEST_URI'] ) ? (string) wp_parse_url( esc_url_raw( wp_unslash( $_SERVER['REQUEST_URI'] ) ), PHP_URL_PATH ) : '/';
		$back    = '' === $back ? '/' : $back;
		$gate    = new Gate( $html, $kit, isset( $_SERVER['HTTP_HOST'] ) ? sanitize_text_field( wp_unslash( $_SERVER['HTTP_HOST'] ) ) : '', $back );
		$is_page = ! isset( $_SERVER['HTTP_SEC_FETCH_DEST'] ) || 'document' === $_SERVER['HTTP_SEC_FETCH_DEST'];
		$gate->hold();
		$head   = $kit->word( 'head' );
		$ours   = $head;
		$places = $gate->places;
		if ( '' !== $head ) {
			$banner = $is_page ? str_replace( 'LOFTEBACK', esc_attr( ltrim( $back, '/' ) ), $kit->word( 'banner' ) ) : '';
			$first  = max( $places['head'], $places['head'] < 0 ? $places['html'] : -1 );
			if ( $first < 0 ) {
				$first = preg_match( '/^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<!doctype[^>]*>/is', $html, $match ) ? strlen( $match[0] ) : 0;
			}
			if ( '' !== $banner ) {
				$gate->insert( $places['body'] < 0 ? $first : $places['body'], $banner, true );
				$ours .= $banner;
			}
			$gate->insert( $first, $head, true );
			if ( $is_page && false === strpos( $html, 'id="lofte-settings"' ) ) {
				$link = '<nav id="lofte-settings" style="padding:1em" aria-label="' . esc_attr( $kit->word( 'settings_word' ) ) . '"><a href="' . esc_url( str_replace( 'LOFTEBACK', rawurlencode( $back ), $kit->word( 'preferences' ) ) ) . '">' . esc_html( $kit->word( 'settings_word' ) ) . '</a></nav>';
				$gate->insert( $places['body_close'] < 0 ? strlen( $html ) : $places['body_close'], $link );
			}
		}
		$page = $gate->edited();
		return array( $page, array_merge( self::scripts_in( $ours ), array_keys( $gate->hashes ) ) );
	}

	/** @return string[] */
	private static function scripts_in( string $markup ): array {
		preg_match_all( '/<script(?:\s[^>]*)?>(.+?)<\/script/s', $markup, $found );
		return array_map( array( Gate::class, 'fingerprint' ), $found[1] );
	}

	/** @param string[] $scripts */
	private static function policy( Kit $kit, array $scripts ): string {
		$quoted = $scripts ? "'" . implode( "' '", array_unique( $scripts ) ) . "'" : '';
		$policy = str_replace( "'LOFTESCRIPTS'", $quoted, $kit->word( 'csp' ) );
		// Who may frame the site stays the site's to say.
		foreach ( headers_list() as $header ) {
			if ( 0 === stripos( $header, 'x-frame-options:' ) ) {
				$policy = str_replace( "; frame-ancestors 'self'", '', $policy );
			}
		}
		return (string) apply_filters( 'lofte_content_security_policy', $policy );
	}

	/** Embeds are held where they are made, so that what carries them elsewhere (a fragment over AJAX, a feed) is held as well. */
	public static function embed( $html ): string {
		$html = (string) $html;
		if ( '' === $html || false !== strpos( $html, 'data-lofte-held' ) ) {
			return $html;
		}
		$gate = new Gate( $html, Kit::current(), isset( $_SERVER['HTTP_HOST'] ) ? sanitize_text_field( wp_unslash( $_SERVER['HTTP_HOST'] ) ) : '', '/' );
		try {
			return $gate->hold();
		} catch ( Unreadable $unreadable ) {
			return '';
		}
	}
}
